-- The store's tables. Rules that hold in both databases stand in `crates/store/src/tables.rs`; the tables themselves are
-- those of `migrations/postgres`, in this database's spelling.
--
-- SQLite orders texts by their UTF-8 bytes unless told otherwise. STRICT: a column holds its type or nothing. Texts that
-- come from outside unparsed refuse NUL, as every text does in Postgres. Times are milliseconds since the Unix epoch.

-- Marks the file as Keyward's ("Keyw"): another program's database is refused at open and at restore.
PRAGMA application_id = 0x4B657977;

-- One row on the database itself.
CREATE TABLE meta (
    only_row INTEGER PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    epoch INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0,
    change_floor INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO meta DEFAULT VALUES;

CREATE TABLE key_checks (
    kek_id TEXT NOT NULL PRIMARY KEY,
    blob BLOB NOT NULL
) STRICT;

CREATE TABLE secrets (
    workspace TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL CHECK (instr(name, char(0)) = 0),
    masked_values TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    provider TEXT,
    auth_config TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_updated_at INTEGER NOT NULL,
    created_by TEXT CHECK (instr(created_by, char(0)) = 0),
    last_updated_by TEXT CHECK (instr(last_updated_by, char(0)) = 0),
    PRIMARY KEY (workspace, id),
    UNIQUE (workspace, name)
) STRICT;

CREATE TABLE sealed_values (
    workspace TEXT NOT NULL,
    secret_id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    allowed_hosts TEXT NOT NULL,
    format INTEGER NOT NULL,
    kek_id TEXT NOT NULL,
    wrapped_dek BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (workspace, secret_id),
    FOREIGN KEY (workspace, secret_id) REFERENCES secrets (workspace, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE model_definitions (
    workspace TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL CHECK (instr(name, char(0)) = 0),
    secret_id TEXT,
    provider TEXT NOT NULL,
    model_name TEXT NOT NULL CHECK (instr(model_name, char(0)) = 0),
    created_at INTEGER NOT NULL,
    last_updated_at INTEGER NOT NULL,
    created_by TEXT CHECK (instr(created_by, char(0)) = 0),
    last_updated_by TEXT CHECK (instr(last_updated_by, char(0)) = 0),
    PRIMARY KEY (workspace, id),
    UNIQUE (workspace, name),
    FOREIGN KEY (workspace, secret_id) REFERENCES secrets (workspace, id)
) STRICT;
CREATE INDEX model_definitions_secret ON model_definitions (workspace, secret_id);

-- ON DELETE SET NULL would set the workspace, too: SQLite has no list of columns there.
CREATE TRIGGER secrets_leave_definitions BEFORE DELETE ON secrets
BEGIN
    UPDATE model_definitions SET secret_id = NULL WHERE workspace = OLD.workspace AND secret_id = OLD.id;
END;

CREATE TABLE experiments (
    workspace TEXT NOT NULL,
    id INTEGER NOT NULL CHECK (id > 0),
    name TEXT NOT NULL CHECK (instr(name, char(0)) = 0),
    artifact_location TEXT CHECK (instr(artifact_location, char(0)) = 0),
    tags TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace, id),
    UNIQUE (workspace, name)
) STRICT;

CREATE TABLE endpoints (
    workspace TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL CHECK (instr(name, char(0)) = 0),
    routing_strategy TEXT,
    fallback_config TEXT,
    experiment_id INTEGER,
    usage_tracking INTEGER NOT NULL CHECK (usage_tracking IN (0, 1)),
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_updated_at INTEGER NOT NULL,
    created_by TEXT CHECK (instr(created_by, char(0)) = 0),
    last_updated_by TEXT CHECK (instr(last_updated_by, char(0)) = 0),
    PRIMARY KEY (workspace, id),
    UNIQUE (workspace, name),
    FOREIGN KEY (workspace, experiment_id) REFERENCES experiments (workspace, id)
) STRICT;
CREATE INDEX endpoints_experiment ON endpoints (workspace, experiment_id);

CREATE TABLE mappings (
    workspace TEXT NOT NULL,
    id TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    definition_id TEXT NOT NULL,
    -- 9e999 is infinity.
    weight REAL NOT NULL CHECK (weight > 0 AND weight < 9e999),
    linkage TEXT NOT NULL CHECK (linkage IN ('PRIMARY', 'FALLBACK')),
    fallback_order INTEGER,
    ordinal INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT CHECK (instr(created_by, char(0)) = 0),
    PRIMARY KEY (workspace, id),
    UNIQUE (workspace, endpoint_id, definition_id, linkage),
    FOREIGN KEY (workspace, endpoint_id) REFERENCES endpoints (workspace, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace, definition_id) REFERENCES model_definitions (workspace, id) ON DELETE RESTRICT
) STRICT;
CREATE INDEX mappings_definition ON mappings (workspace, definition_id);

CREATE TABLE tags (
    workspace TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    key TEXT NOT NULL CHECK (instr(key, char(0)) = 0),
    value TEXT NOT NULL CHECK (instr(value, char(0)) = 0),
    PRIMARY KEY (workspace, endpoint_id, key),
    FOREIGN KEY (workspace, endpoint_id) REFERENCES endpoints (workspace, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE bindings (
    workspace TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    resource_type TEXT NOT NULL CHECK (instr(resource_type, char(0)) = 0),
    resource_id TEXT NOT NULL CHECK (instr(resource_id, char(0)) = 0),
    created_at INTEGER NOT NULL,
    last_updated_at INTEGER NOT NULL,
    created_by TEXT CHECK (instr(created_by, char(0)) = 0),
    last_updated_by TEXT CHECK (instr(last_updated_by, char(0)) = 0),
    PRIMARY KEY (workspace, endpoint_id, resource_type, resource_id),
    FOREIGN KEY (workspace, endpoint_id) REFERENCES endpoints (workspace, id) ON DELETE CASCADE
) STRICT;

-- Random bytes that keys and chains are checked with, sealed under a key-encryption key; made at first open.
CREATE TABLE key_materials (
    workspace TEXT NOT NULL,
    name TEXT NOT NULL,
    serial INTEGER NOT NULL CHECK (serial > 0),
    format INTEGER NOT NULL,
    kek_id TEXT NOT NULL,
    wrapped_dek BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (workspace, name, serial)
) STRICT;

-- Keys of applications: never the key, only its MAC.
CREATE TABLE client_keys (
    workspace TEXT NOT NULL,
    key_id TEXT NOT NULL,
    mac BLOB NOT NULL,
    pepper INTEGER NOT NULL,
    owner TEXT NOT NULL CHECK (instr(owner, char(0)) = 0),
    note TEXT CHECK (instr(note, char(0)) = 0),
    scope TEXT NOT NULL,
    expires_at INTEGER,
    retires_at INTEGER,
    revoked_at INTEGER,
    replaced_by TEXT,
    created_at INTEGER NOT NULL,
    last_updated_at INTEGER NOT NULL,
    created_by TEXT CHECK (instr(created_by, char(0)) = 0),
    last_updated_by TEXT CHECK (instr(last_updated_by, char(0)) = 0),
    PRIMARY KEY (workspace, key_id)
) STRICT;

-- What may look different as of a revision; kept above meta.change_floor. AUTOINCREMENT: a number is never used again.
CREATE TABLE change_log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace TEXT NOT NULL,
    revision INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('catalog', 'vault', 'callers')),
    key TEXT NOT NULL,
    provider TEXT NOT NULL
) STRICT;
CREATE INDEX change_log_revision ON change_log (workspace, revision, seq);

-- Each row's MAC covers the row and the MAC before it (`access::audit`).
CREATE TABLE audit (
    workspace TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT CHECK (instr(actor, char(0)) = 0),
    actor_kind TEXT NOT NULL,
    action TEXT NOT NULL CHECK (instr(action, char(0)) = 0),
    object TEXT NOT NULL CHECK (instr(object, char(0)) = 0),
    object_version INTEGER,
    outcome TEXT NOT NULL CHECK (instr(outcome, char(0)) = 0),
    request_id TEXT NOT NULL CHECK (instr(request_id, char(0)) = 0),
    revision INTEGER NOT NULL,
    source TEXT,
    detail TEXT NOT NULL CHECK (instr(detail, char(0)) = 0),
    prev BLOB NOT NULL,
    mac BLOB NOT NULL,
    PRIMARY KEY (workspace, seq)
) STRICT;

-- Who watches, and what it has applied. Not administered: rows come and go without a revision.
CREATE TABLE watchers (
    workspace TEXT NOT NULL,
    role TEXT NOT NULL CHECK (instr(role, char(0)) = 0),
    replica TEXT NOT NULL CHECK (instr(replica, char(0)) = 0),
    provider TEXT NOT NULL CHECK (instr(provider, char(0)) = 0),
    epoch INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (workspace, role, replica, provider)
) STRICT;

-- Append-only, whoever asks: a defect or a stray hand fails loudly. (Whoever owns the file can still drop the trigger.)
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'UPDATE on audit is refused: the table is append-only');
END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'DELETE on audit is refused: the table is append-only');
END;
CREATE TRIGGER change_log_no_update BEFORE UPDATE ON change_log
BEGIN
    SELECT RAISE(ABORT, 'UPDATE on change_log is refused: the table is append-only');
END;
CREATE TRIGGER change_log_trimmed BEFORE DELETE ON change_log
WHEN OLD.revision > (SELECT change_floor FROM meta)
BEGIN
    SELECT RAISE(ABORT, 'DELETE on change_log is refused above meta.change_floor');
END;
-- INSERT OR REPLACE deletes a row without asking the triggers above.
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE workspace = NEW.workspace AND seq = NEW.seq)
BEGIN
    SELECT RAISE(ABORT, 'REPLACE on audit is refused: the table is append-only');
END;
CREATE TRIGGER change_log_no_replace BEFORE INSERT ON change_log
WHEN EXISTS (SELECT 1 FROM change_log WHERE seq = NEW.seq)
BEGIN
    SELECT RAISE(ABORT, 'REPLACE on change_log is refused: the table is append-only');
END;
