// Writes or reads events as CloudEvents' SDK for Java does: `java Events.java write|read`, one JSON object a line.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.kafka.KafkaMessageFactory;
import io.cloudevents.jackson.JsonFormat;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;

class Events {
    static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            JsonNode in = JSON.readTree(line);
            ObjectNode out = arguments[0].equals("write") ? write(in) : read(in);
            System.out.write((JSON.writeValueAsString(out) + "\n").getBytes(StandardCharsets.UTF_8));
        }
        System.out.flush();
    }

    static ObjectNode write(JsonNode in) {
        var builder = CloudEventBuilder.v1();
        for (Map.Entry<String, JsonNode> entry : in.properties()) {
            JsonNode value = entry.getValue();
            String text = value.asText();
            switch (entry.getKey()) {
                case "mode", "key" -> { }
                case "id" -> builder.withId(text);
                case "source" -> builder.withSource(URI.create(text));
                case "type" -> builder.withType(text);
                case "subject" -> builder.withSubject(text);
                case "dataschema" -> builder.withDataSchema(URI.create(text));
                case "time" -> builder.withTime(OffsetDateTime.parse(text));
                case "data" -> builder.withData("application/json", text.getBytes(StandardCharsets.UTF_8));
                default -> {
                    if (value.isBoolean()) builder.withExtension(entry.getKey(), value.asBoolean());
                    else if (value.isInt()) builder.withExtension(entry.getKey(), value.asInt());
                    else builder.withExtension(entry.getKey(), text);
                }
            }
        }
        CloudEvent event = builder.build();
        var writer = KafkaMessageFactory.<String>createWriter("topic", in.path("key").textValue());
        ProducerRecord<String, byte[]> record = in.path("mode").asText().equals("binary")
            ? writer.writeBinary(event) : writer.writeStructured(event, new JsonFormat());
        ObjectNode out = JSON.createObjectNode();
        out.put("key", record.key() == null ? null : record.key().getBytes(StandardCharsets.UTF_8));
        out.put("value", record.value());
        ArrayNode headers = out.putArray("headers");
        for (Header header : record.headers()) headers.addArray().add(header.key()).add(header.value());
        return out;
    }

    static ObjectNode read(JsonNode in) throws Exception {
        var headers = new RecordHeaders();
        for (JsonNode header : in.get("headers")) headers.add(header.get(0).asText(), header.get(1).binaryValue());
        CloudEvent event = KafkaMessageFactory.createReader(headers, in.get("value").binaryValue()).toEvent();
        ObjectNode out = JSON.createObjectNode();
        for (String name : event.getAttributeNames()) {
            Object value = event.getAttribute(name);
            if (value != null && !name.equals("specversion") && !name.equals("datacontenttype")) out.put(name, value.toString());
        }
        for (String name : event.getExtensionNames()) out.set(name, JSON.valueToTree(event.getExtension(name)));
        if (event.getData() != null) out.put("data", new String(event.getData().toBytes(), StandardCharsets.UTF_8));
        return out;
    }
}
