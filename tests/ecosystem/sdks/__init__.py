"""CloudEvents' SDKs and Confluent's clients in other languages, as programs that read lines and write lines."""
