"""What comes in bulk: taken or fetched, read on all cores, stored by jobs."""
