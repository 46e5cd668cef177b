"""Values and rules of the record, free of any I/O."""
