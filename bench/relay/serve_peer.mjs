// The npm package `peer` as a server to be measured, with its defaults. Usage: node serve_peer.mjs FOLDER-OF-NODE_MODULES
import { createRequire } from "node:module";
const { PeerServer } = createRequire(process.argv[2] + "/")("peer");
PeerServer({ port: 0, host: "127.0.0.1", path: "/" }, (server) => console.log(`ready ${server.address().port}`));
