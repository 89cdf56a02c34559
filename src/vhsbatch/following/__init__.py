"""What follows a batch and acts on its facts: hooks, notices, the service manager, the report."""
