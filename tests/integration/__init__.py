"""Parts together with real databases and real peers."""
