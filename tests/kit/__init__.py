"""What the tests share: a world with a clock that stands still, moto's AWS, and brokers that answer as told."""
