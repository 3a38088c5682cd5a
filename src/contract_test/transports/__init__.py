"""What messages travel on: taps that read without disturbing, and brokers to run beside them."""
