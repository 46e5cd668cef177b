"""The daily control list as ready views."""
