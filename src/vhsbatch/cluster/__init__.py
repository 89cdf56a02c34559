"""Many machines: the same batch on a Dask cluster. `distributed` is imported in here alone."""
