"""What the course costs, beside what people would use instead: `make bench`."""
