"""The steps by which the tables came to be; each is a file in `versions`, made once and never changed."""
