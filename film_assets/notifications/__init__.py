"""What people who do not open a new snapshot are told of it: the content of emails and Google Sheets.

Belongs here: the content, and by which channels it may go. Does not belong here: when it is sent (``orchestration``).
"""
