"""The only room that knows torch: it watches, and hands over plain records."""
