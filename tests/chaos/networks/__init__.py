"""The bad networks of the network lab: namespaces with routers, and links that delay and drop."""
