"""Wire: bind a request, call one service, shape the reply."""
