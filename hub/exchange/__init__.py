"""Files that come in and go out: tables of clients and sales, everything that is known of one person."""
