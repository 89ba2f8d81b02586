"""Delivery to people who open neither Dagster nor a database: a Google Sheet, and an email with a chart.

Belongs here: how something is delivered, for every pipeline alike. Does not belong here: what is delivered.
"""
