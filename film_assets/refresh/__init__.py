"""A refresh step by step, engine and Dagster unknown to it: ``pipeline``, and how long it will take (``estimate``)."""
