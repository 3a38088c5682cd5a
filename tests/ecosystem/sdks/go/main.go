// Writes or reads events as CloudEvents' SDK for Go does: `events write|read`, one JSON object a line.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"

	"github.com/Shopify/sarama"
	"github.com/cloudevents/sdk-go/protocol/kafka_sarama/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"
)

// Go's JSON writes bytes as base64.
type message struct {
	Key     []byte      `json:"key"`
	Headers [][2]string `json:"headers"`
	Value   []byte      `json:"value"`
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(line []byte) any {
	var described map[string]any
	check(json.Unmarshal(line, &described))
	made := event.New()
	var out message
	mode := binding.WithForceStructured
	for name, value := range described {
		text, _ := value.(string)
		switch name {
		case "mode":
			if text == "binary" {
				mode = binding.WithForceBinary
			}
		case "key":
			out.Key = []byte(text)
		case "id":
			made.SetID(text)
		case "source":
			made.SetSource(text)
		case "type":
			made.SetType(text)
		case "subject":
			made.SetSubject(text)
		case "dataschema":
			made.SetDataSchema(text)
		case "time":
			instant, err := types.ParseTime(text)
			check(err)
			made.SetTime(instant)
		case "data":
			check(made.SetData("application/json", json.RawMessage(text)))
		default:
			if number, ok := value.(float64); ok {
				value = int32(number)
			}
			made.SetExtension(name, value)
		}
	}
	var sent sarama.ProducerMessage
	check(kafka_sarama.WriteProducerMessage(mode(context.Background()), binding.ToMessage(&made), &sent))
	if sent.Value != nil {
		out.Value, _ = sent.Value.Encode()
	}
	for _, header := range sent.Headers {
		out.Headers = append(out.Headers, [2]string{string(header.Key), base64.StdEncoding.EncodeToString(header.Value)})
	}
	return out
}

func read(line []byte) any {
	var in message
	check(json.Unmarshal(line, &in))
	headers := map[string][]byte{}
	for _, header := range in.Headers {
		value, err := base64.StdEncoding.DecodeString(header[1])
		check(err)
		headers[header[0]] = value
	}
	found, err := binding.ToEvent(
		context.Background(), kafka_sarama.NewMessage(in.Value, string(headers["content-type"]), headers))
	check(err)
	out := map[string]any{"id": found.ID(), "source": found.Source(), "type": found.Type()}
	for name, value := range found.Extensions() {
		out[name] = value
	}
	if !found.Time().IsZero() {
		out["time"] = types.FormatTime(found.Time())
	}
	if found.Subject() != "" {
		out["subject"] = found.Subject()
	}
	if found.DataSchema() != "" {
		out["dataschema"] = found.DataSchema()
	}
	if found.Data() != nil {
		out["data"] = string(found.Data())
	}
	return out
}

func main() {
	act := map[string]func([]byte) any{"write": write, "read": read}[os.Args[1]]
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		check(out.Encode(act(lines.Bytes())))
	}
}
