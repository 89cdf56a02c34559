"""What acts on the events of a batch: hooks, notifications, the report, the service manager."""
