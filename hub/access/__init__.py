"""Who gets in: passwords, second factors, tokens' areas, keys, patience with whoever guesses, an own provider."""
