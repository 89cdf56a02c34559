"""What this machine has: processors, memory, GPUs, temperatures."""
