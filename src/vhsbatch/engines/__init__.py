"""Upscalers with one protocol, and the worker program that runs the model."""
