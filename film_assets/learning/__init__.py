"""The learning pipeline: learners' attempts at tasks, from a statistics API to a database, a Google Sheet and an email.

Belongs here: everything that is this pipeline's own. Does not belong here: how sheets and mail are delivered
(``notifications.channels``).
"""
