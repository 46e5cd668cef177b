"""The strict Bot API server against aiogram's own client."""
