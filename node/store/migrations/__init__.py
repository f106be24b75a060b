"""The history of the tables, run at start. It ships inside the wheel."""
