"""Control charts and clinic comparison of released counts."""
