// Writes or reads messages as Confluent's client for Node does: `node registry.mjs write|read`, one JSON object a line.
// The registry is the client's own, in memory: the first schema that it is given has the id 1.
import { createInterface } from "node:readline";
import {
  HeaderSchemaIdSerializer,
  JsonDeserializer,
  JsonSerializer,
  SchemaRegistryClient,
  SerdeType,
} from "@confluentinc/schemaregistry";

const TOPIC = "registry";

async function write({ schema, data, framing }) {
  const registry = SchemaRegistryClient.newClient({ baseURLs: ["mock://"] });
  await registry.register(`${TOPIC}-value`, { schema, schemaType: "JSON" });
  const settings = { useLatestVersion: true };
  if (framing === "header") settings.schemaIdSerializer = HeaderSchemaIdSerializer;
  const headers = {};
  const value = await new JsonSerializer(registry, SerdeType.VALUE, settings).serialize(TOPIC, JSON.parse(data), headers);
  const pairs = Object.entries(headers).map(([name, each]) => [name, Buffer.from(each).toString("base64")]);
  return { headers: pairs, value: value.toString("base64") };
}

async function read({ schema, value, headers }) {
  const registry = SchemaRegistryClient.newClient({ baseURLs: ["mock://"] });
  await registry.register(`${TOPIC}-value`, { schema, schemaType: "JSON" });
  const pairs = Object.fromEntries(headers.map(([name, each]) => [name, Buffer.from(each, "base64")]));
  const reader = new JsonDeserializer(registry, SerdeType.VALUE, {});
  return { data: JSON.stringify(await reader.deserialize(TOPIC, Buffer.from(value, "base64"), pairs)) };
}

const act = { write, read }[process.argv[2]];
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await act(JSON.parse(line))));
}
