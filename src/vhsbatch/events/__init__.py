"""What happens in a batch: facts, telemetry, the state they add up to, and the journal that keeps them."""
