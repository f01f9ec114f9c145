"""Faults of what keeps data for good: databases and the system's keyring."""

from ringlight.faults.fault import Fault, Retry

ROWS = (
    Fault(
        "STORE-SEALED",
        "What is kept needs another key",
        cause="A secret on the disk is sealed with a key that the settings do not have, or was changed since.",
        fix="Set RINGLIGHT_SECRETS_KEY to the key it was sealed with, or put the file with it (`secrets_key_file`, "
        "else `secrets.key` in the state directory) back. Both may have several keys, the new one first. Without that "
        "key, sign in and link the accounts anew.",
        retry=Retry.AFTER_FIX,
        http=500,
    ),
    Fault(
        "CFG-SECRETS-KEY",
        "The key for secrets cannot be used",
        cause="RINGLIGHT_SECRETS_KEY or the file of `secrets_key_file` has no key in it, or one that is too short.",
        fix="Use a long random text, such as `openssl rand -base64 48` prints.",
        retry=Retry.AFTER_FIX,
        http=500,
    ),
    Fault(
        "AUDIT-BROKEN",
        "The audit is not as it was written",
        cause="A row of the record of rooms was changed, removed, put in another order or cut off, or another secret "
        "key is in use than the one that it was written with.",
        fix="Check that RINGLIGHT_SECRET_KEY, or the state directory's `secret-key`, is the server's own. If it is, "
        "treat the database as tampered with: keep it as it is, and compare it with a backup from the row named on.",
        retry=Retry.NEVER,
        http=500,
    ),
    Fault(
        "STORE-UNREACHABLE",
        "The database cannot be used just now",
        cause="The database could not be reached, broke off, or could not write.",
        fix="Look whether the database runs and its disk has room. Tokens that were not saved are kept in memory and "
        "saved later.",
        retry=Retry.BACKOFF,
        http=503,
    ),
    Fault(
        "STORE-FULL",
        "No room for what is kept",
        cause="The disk, a quota or a limit on the size of files is used up, so nothing more can be written down. All "
        "that was stored is still there, and webhooks are answered 503, so that Ring sends them again.",
        fix="Make room on the disk of the database and the state directory: delete files, or set limits with "
        "`retention.recordings_total` and `retention.webhooks_most`. It goes on by itself then, without a restart.",
        retry=Retry.BACKOFF,
        http=503,
    ),
    Fault(
        "STORE-FILE",
        "The database is damaged",
        cause="What is in the database's file is not what a database writes: the disk is failing, or another program "
        "or a copy made while the server ran has changed it.",
        fix="Stop the server, move the file and those beside it (`-wal`, `-shm`) to a safe place, and run `ringlight "
        "restore` with the newest copy. Without a copy, `sqlite3 FILE .recover` saves what can be read.",
        retry=Retry.AFTER_FIX,
        http=503,
    ),
    Fault(
        "STORE-CERTIFICATE",
        "The certificate of the database or of Redis is not accepted",
        cause="The certificate has expired, is not valid yet, is for another name, or is signed by nobody that this "
        "machine trusts; or the other side did not accept ours.",
        fix="Renew the certificate of PostgreSQL or Redis and let that program load it; look at this machine's clock, "
        "and at `sslrootcert` or `ssl_ca_certs` in the address. It goes on by itself then, without a restart. Towards "
        "Redis an authority of your own must have the key usage keyCertSign: Python insists on it since 3.13.",
        retry=Retry.BACKOFF,
        http=503,
    ),
    Fault(
        "STORE-CLOCK",
        "The clock has jumped, so nothing is removed for its age",
        cause="The time of day moved by minutes or more against a steady clock, or by more than a day since it was "
        "last believed. A clock that is ahead would make everything old enough to be removed at once.",
        fix="Set the clock, and keep it with NTP (`timedatectl`). If it is right, do nothing: once it has gone on "
        "steadily for twelve hours it is believed. What is too much is removed meanwhile all the same.",
        retry=Retry.BACKOFF,
        http=503,
    ),
    Fault(
        "STORE-BUSY",
        "Somebody else holds this account's tokens",
        cause="Another process that uses the same store has kept the lock of the account too long.",
        fix="Look for a process that hangs, and end it; that frees its locks.",
        retry=Retry.BACKOFF,
        http=503,
    ),
    Fault(
        "STORE-NEWER",
        "The database belongs to a newer Ringlight",
        cause="A newer version of Ringlight has changed the tables, and this one does not know them.",
        fix="Run the newer version, or go back for good: `ringlight restore --replace` with the copy that was made "
        "before the update. Nothing was changed.",
        retry=Retry.AFTER_FIX,
        http=500,
    ),
    Fault(
        "STORE-ADDRESS",
        "The store's address cannot be used",
        cause="The address of the store names none that Ringlight knows, or a package for it is not installed.",
        fix="Give the path of a file, `sqlite:///path`, `postgresql://…` (with `pip install ringlight[postgres]`) or "
        "`keyring:` (with `pip install ringlight[keyring]`); for `redis_url` `redis://…` (with `pip install "
        "ringlight[redis]`).",
        retry=Retry.AFTER_FIX,
        http=500,
    ),
    Fault(
        "STORE-KEYRING",
        "The system's keyring cannot be used",
        cause="There is no keyring on this system, it is locked, or it does not keep what it is given. "
        "Servers and containers usually have none.",
        fix="Unlock it, or keep the tokens in a file or a database instead: `partner.tokens` says where.",
        retry=Retry.AFTER_FIX,
        http=500,
    ),
    Fault(
        "STORE-DAMAGED",
        "What is kept of this account cannot be read",
        cause="The store has something for this account that is no pair of tokens.",
        fix="Restore it from a copy (`ringlight restore`), or link the account again.",
        retry=Retry.AFTER_FIX,
        http=500,
    ),
    Fault(
        "STORE-COPY",
        "The copy cannot be restored",
        cause="The file is no copy that `ringlight backup` made, or it is damaged. Nothing was changed.",
        fix="Give the file that `ringlight backup` wrote, or an older one that is whole.",
        retry=Retry.AFTER_FIX,
        http=400,
    ),
    Fault(
        "STORE-IN-USE",
        "There is something already",
        cause="A copy is restored into an empty place, and this one is not. Nothing was changed.",
        fix="Look at what is there. To replace it: stop the server, run `ringlight backup`, then add `--replace`.",
        retry=Retry.AFTER_FIX,
        http=409,
    ),
)
