"""The assets in Dagster's graph, and what is told of them there."""
