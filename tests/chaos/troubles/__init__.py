"""What goes wrong in cells, and what mends it: Ring, servers, stores, rooms, disks, and the way to each."""
