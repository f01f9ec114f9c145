BEGIN TRANSACTION;
CREATE TABLE access_keys (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	scopes TEXT NOT NULL, 
	cameras TEXT, 
	made_at DOUBLE NOT NULL, 
	expires DOUBLE, 
	used_at DOUBLE, 
	PRIMARY KEY (id), 
	UNIQUE (name), 
	UNIQUE (hash)
);
INSERT INTO "access_keys" VALUES('id 1 ü','name 1 ü','hash 1 ü','scopes 1 ü','cameras 1 ü',1790000001.0,1790000001.0,1790000001.0);
INSERT INTO "access_keys" VALUES('id 2 ü','name 2 ü','hash 2 ü','scopes 2 ü','cameras 2 ü',1790000002.0,1790000002.0,1790000002.0);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0005');
CREATE TABLE link_beginnings (
	id TEXT NOT NULL, 
	began_at DOUBLE NOT NULL, 
	code TEXT, 
	verifier TEXT, 
	person TEXT, 
	identifier TEXT, 
	access TEXT, 
	refresh TEXT, 
	obtained_at DOUBLE, 
	expires_at DOUBLE, 
	account TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "link_beginnings" VALUES('id 1 ü',1790000001.0,'code 1 ü','verifier 1 ü','person 1 ü','identifier 1 ü','access 1 ü','refresh 1 ü',1790000001.0,1790000001.0,'account 1 ü');
INSERT INTO "link_beginnings" VALUES('id 2 ü',1790000002.0,'code 2 ü','verifier 2 ü','person 2 ü','identifier 2 ü','access 2 ü','refresh 2 ü',1790000002.0,1790000002.0,'account 2 ü');
CREATE TABLE linked_devices (
	account TEXT NOT NULL, 
	device TEXT NOT NULL, 
	since DOUBLE NOT NULL, 
	PRIMARY KEY (account, device)
);
INSERT INTO "linked_devices" VALUES('account 1 ü','device 1 ü',1790000001.0);
INSERT INTO "linked_devices" VALUES('account 2 ü','device 2 ü',1790000002.0);
CREATE TABLE links (
	account TEXT NOT NULL, 
	state TEXT NOT NULL, 
	since DOUBLE NOT NULL, 
	person TEXT, 
	identifier TEXT, 
	nonce TEXT, 
	spent TEXT, 
	tries INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	PRIMARY KEY (account)
);
INSERT INTO "links" VALUES('account 1 ü','completed',1790000001.0,'person 1 ü','identifier 1 ü','nonce 1 ü','spent 1 ü',1,1);
INSERT INTO "links" VALUES('account 2 ü','completed',1790000002.0,'person 2 ü','identifier 2 ü','nonce 2 ü','spent 2 ü',2,2);
CREATE TABLE room_audit (
	number BIGINT NOT NULL, 
	at DOUBLE NOT NULL, 
	event TEXT NOT NULL, 
	room TEXT NOT NULL, 
	person TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	role TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	previous TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "room_audit" VALUES(1,1790000001.0,'event 1 ü','room 1 ü','person 1 ü','by 1 ü','role 1 ü','detail 1 ü','previous 1 ü','hash 1 ü');
INSERT INTO "room_audit" VALUES(2,1790000002.0,'event 2 ü','room 2 ü','person 2 ü','by 2 ü','role 2 ü','detail 2 ü','previous 2 ü','hash 2 ü');
CREATE TABLE room_audit_head (
	id INTEGER NOT NULL, 
	number BIGINT NOT NULL, 
	hash TEXT NOT NULL, 
	seal TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "room_audit_head" VALUES(1,1,'hash 1 ü','seal 1 ü');
INSERT INTO "room_audit_head" VALUES(2,2,'hash 2 ü','seal 2 ü');
CREATE TABLE room_links (
	hash TEXT NOT NULL, 
	room TEXT NOT NULL, 
	role TEXT NOT NULL, 
	name TEXT NOT NULL, 
	may TEXT, 
	opens DOUBLE, 
	expires DOUBLE NOT NULL, 
	used_at DOUBLE, 
	PRIMARY KEY (hash)
);
INSERT INTO "room_links" VALUES('hash 1 ü','room 1 ü','role 1 ü','name 1 ü','may 1 ü',1790000001.0,1790000001.0,1790000001.0);
INSERT INTO "room_links" VALUES('hash 2 ü','room 2 ü','role 2 ü','name 2 ü','may 2 ü',1790000002.0,1790000002.0,1790000002.0);
CREATE TABLE room_outbox (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	request_id TEXT NOT NULL, 
	account TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	type TEXT NOT NULL, 
	body BLOB NOT NULL, 
	received_at DOUBLE NOT NULL, 
	state TEXT NOT NULL, 
	worker TEXT, 
	attempts INTEGER NOT NULL, 
	due_at DOUBLE NOT NULL, 
	problem TEXT, 
	UNIQUE (request_id)
);
INSERT INTO "room_outbox" VALUES(1,'request_id 1 ü','account 1 ü','subject 1 ü','type 1 ü',X'626F6479203100FF',1790000001.0,'waiting','worker 1 ü',1,1790000001.0,'problem 1 ü');
INSERT INTO "room_outbox" VALUES(2,'request_id 2 ü','account 2 ü','subject 2 ü','type 2 ü',X'626F6479203200FF',1790000002.0,'waiting','worker 2 ü',2,1790000002.0,'problem 2 ü');
CREATE TABLE room_people (
	room TEXT NOT NULL, 
	person TEXT NOT NULL, 
	inside BOOLEAN NOT NULL, 
	consents TEXT NOT NULL, 
	PRIMARY KEY (room, person)
);
INSERT INTO "room_people" VALUES('room 1 ü','person 1 ü',1,'consents 1 ü');
INSERT INTO "room_people" VALUES('room 2 ü','person 2 ü',0,'consents 2 ü');
CREATE TABLE rooms (
	id TEXT NOT NULL, 
	lobby BOOLEAN NOT NULL, 
	locked BOOLEAN NOT NULL, 
	opens DOUBLE, 
	closes DOUBLE, 
	capacity INTEGER NOT NULL, 
	consent TEXT NOT NULL, 
	cameras TEXT NOT NULL, 
	made_at DOUBLE NOT NULL, 
	started BOOLEAN NOT NULL, 
	ended_at DOUBLE, 
	PRIMARY KEY (id)
);
INSERT INTO "rooms" VALUES('id 1 ü',1,1,1790000001.0,1790000001.0,1,'consent 1 ü','cameras 1 ü',1790000001.0,1,1790000001.0);
INSERT INTO "rooms" VALUES('id 2 ü',0,0,1790000002.0,1790000002.0,2,'consent 2 ü','cameras 2 ü',1790000002.0,0,1790000002.0);
CREATE TABLE token_pairs (
	account TEXT NOT NULL, 
	access TEXT NOT NULL, 
	refresh TEXT NOT NULL, 
	obtained_at DOUBLE NOT NULL, 
	expires_at DOUBLE NOT NULL, 
	generation INTEGER NOT NULL, 
	offered_at DOUBLE, 
	PRIMARY KEY (account)
);
INSERT INTO "token_pairs" VALUES('account 1 ü','access 1 ü','refresh 1 ü',1790000001.0,1790000001.0,1,1790000001.0);
INSERT INTO "token_pairs" VALUES('account 2 ü','access 2 ü','refresh 2 ü',1790000002.0,1790000002.0,2,1790000002.0);
CREATE TABLE webhook_inbox (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	request_id TEXT NOT NULL, 
	account TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	type TEXT NOT NULL, 
	body BLOB NOT NULL, 
	received_at DOUBLE NOT NULL, 
	state TEXT NOT NULL, 
	worker TEXT, 
	attempts INTEGER NOT NULL, 
	due_at DOUBLE NOT NULL, 
	problem TEXT, 
	UNIQUE (request_id)
);
INSERT INTO "webhook_inbox" VALUES(1,'request_id 1 ü','account 1 ü','subject 1 ü','type 1 ü',X'626F6479203100FF',1790000001.0,'dead','worker 1 ü',1,1790000001.0,'problem 1 ü');
INSERT INTO "webhook_inbox" VALUES(2,'request_id 2 ü','account 2 ü','subject 2 ü','type 2 ü',X'626F6479203200FF',1790000002.0,'dead','worker 2 ü',2,1790000002.0,'problem 2 ü');
CREATE INDEX webhook_inbox_state ON webhook_inbox (state, number);
CREATE INDEX ix_links_state ON links (state);
CREATE INDEX ix_links_person ON links (person);
CREATE INDEX ix_room_links_expires ON room_links (expires);
CREATE INDEX room_outbox_state ON room_outbox (state, number);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('room_outbox',2);
INSERT INTO "sqlite_sequence" VALUES('webhook_inbox',2);
COMMIT;
