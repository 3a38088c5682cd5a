// Writes or reads events as CloudEvents' SDK for Node does: `node events.mjs write|read`, one JSON object a line.
import { createInterface } from "node:readline";
import { CloudEvent, Kafka } from "cloudevents";

const encoded = (value) => (value == null ? null : Buffer.from(value).toString("base64"));
const decoded = (value) => value && Buffer.from(value, "base64").toString();

function write({ mode, key, data, ...attributes }) {
  if (key) attributes.partitionkey = key;
  if (data) attributes.data = JSON.parse(data);
  const event = new CloudEvent(attributes);
  const { headers, value, ...message } = mode === "binary" ? Kafka.binary(event) : Kafka.structured(event);
  return {
    key: encoded(message.key),
    headers: Object.entries(headers).map(([name, each]) => [name, encoded(each?.toString())]), // or undefined
    value: encoded(typeof value === "object" ? JSON.stringify(value) : value),
  };
}

function read({ key, headers, value }) {
  const texts = Object.fromEntries(headers.map(([name, each]) => [name, decoded(each)]));
  const event = Kafka.toEvent({ key: decoded(key), headers: texts, value: decoded(value) });
  const { data, ...attributes } = event.toJSON();
  return { ...attributes, data: typeof data === "string" ? data : JSON.stringify(data) };
}

const act = { write, read }[process.argv[2]];
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(act(JSON.parse(line))));
}
