"""A whole installation under test: every service a process of its own, on a real Kafka and MongoDB."""
