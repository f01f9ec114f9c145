"""Ring on this machine: sign-in, devices, tickets, the signaling socket, and cameras that send real video."""
