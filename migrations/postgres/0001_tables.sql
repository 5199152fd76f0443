-- The store's tables. Rules that hold in both databases stand in `crates/store/src/tables.rs`.
--
-- Texts are ordered by their UTF-8 bytes in every database, whatever its locale: hence COLLATE "C" on each column.
-- Texts that hold JSON are TEXT, so that they are given back byte for byte. Times are milliseconds since the Unix epoch.
-- Unique constraints are named: the code tells them apart by name.

-- One row on the database itself. Whoever writes takes it FOR UPDATE first: so commit order is revision order.
CREATE TABLE meta (
    only_row BOOLEAN PRIMARY KEY DEFAULT TRUE CONSTRAINT meta_one_row CHECK (only_row),
    epoch BIGINT NOT NULL DEFAULT 0,
    revision BIGINT NOT NULL DEFAULT 0,
    change_floor BIGINT NOT NULL DEFAULT 0
);
INSERT INTO meta DEFAULT VALUES;

CREATE TABLE key_checks (
    kek_id TEXT COLLATE "C" PRIMARY KEY,
    blob BYTEA NOT NULL
);

CREATE TABLE secrets (
    workspace TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    masked_values TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    provider TEXT COLLATE "C",
    auth_config TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_updated_at BIGINT NOT NULL,
    created_by TEXT,
    last_updated_by TEXT,
    PRIMARY KEY (workspace, id),
    CONSTRAINT secrets_name UNIQUE (workspace, name)
);

CREATE TABLE sealed_values (
    workspace TEXT COLLATE "C" NOT NULL,
    secret_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    allowed_hosts TEXT NOT NULL,
    format BIGINT NOT NULL,
    kek_id TEXT COLLATE "C" NOT NULL,
    wrapped_dek BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (workspace, secret_id),
    FOREIGN KEY (workspace, secret_id) REFERENCES secrets (workspace, id) ON DELETE CASCADE
);

CREATE TABLE model_definitions (
    workspace TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    secret_id TEXT COLLATE "C",
    provider TEXT COLLATE "C" NOT NULL,
    model_name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_updated_at BIGINT NOT NULL,
    created_by TEXT,
    last_updated_by TEXT,
    PRIMARY KEY (workspace, id),
    CONSTRAINT model_definitions_name UNIQUE (workspace, name),
    FOREIGN KEY (workspace, secret_id) REFERENCES secrets (workspace, id) ON DELETE SET NULL (secret_id)
);
CREATE INDEX model_definitions_secret ON model_definitions (workspace, secret_id);

CREATE TABLE experiments (
    workspace TEXT COLLATE "C" NOT NULL,
    id BIGINT NOT NULL CHECK (id > 0),
    name TEXT COLLATE "C" NOT NULL,
    artifact_location TEXT,
    tags TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_updated_at BIGINT NOT NULL,
    PRIMARY KEY (workspace, id),
    CONSTRAINT experiments_name UNIQUE (workspace, name)
);

CREATE TABLE endpoints (
    workspace TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    routing_strategy TEXT,
    fallback_config TEXT,
    experiment_id BIGINT,
    usage_tracking BOOLEAN NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_updated_at BIGINT NOT NULL,
    created_by TEXT,
    last_updated_by TEXT,
    PRIMARY KEY (workspace, id),
    CONSTRAINT endpoints_name UNIQUE (workspace, name),
    FOREIGN KEY (workspace, experiment_id) REFERENCES experiments (workspace, id)
);

CREATE TABLE mappings (
    workspace TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    endpoint_id TEXT COLLATE "C" NOT NULL,
    definition_id TEXT COLLATE "C" NOT NULL,
    weight DOUBLE PRECISION NOT NULL CHECK (weight > 0 AND weight < 'Infinity'),
    linkage TEXT COLLATE "C" NOT NULL CHECK (linkage IN ('PRIMARY', 'FALLBACK')),
    fallback_order BIGINT,
    ordinal BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    PRIMARY KEY (workspace, id),
    CONSTRAINT mappings_part UNIQUE (workspace, endpoint_id, definition_id, linkage),
    FOREIGN KEY (workspace, endpoint_id) REFERENCES endpoints (workspace, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace, definition_id) REFERENCES model_definitions (workspace, id) ON DELETE RESTRICT
);
CREATE INDEX mappings_definition ON mappings (workspace, definition_id);

CREATE TABLE tags (
    workspace TEXT COLLATE "C" NOT NULL,
    endpoint_id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (workspace, endpoint_id, key),
    FOREIGN KEY (workspace, endpoint_id) REFERENCES endpoints (workspace, id) ON DELETE CASCADE
);

CREATE TABLE bindings (
    workspace TEXT COLLATE "C" NOT NULL,
    endpoint_id TEXT COLLATE "C" NOT NULL,
    resource_type TEXT COLLATE "C" NOT NULL,
    resource_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    last_updated_at BIGINT NOT NULL,
    created_by TEXT,
    last_updated_by TEXT,
    CONSTRAINT bindings_key PRIMARY KEY (workspace, endpoint_id, resource_type, resource_id),
    FOREIGN KEY (workspace, endpoint_id) REFERENCES endpoints (workspace, id) ON DELETE CASCADE
);

-- Random bytes that keys and chains are checked with, sealed under a key-encryption key; made at first open.
CREATE TABLE key_materials (
    workspace TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    serial BIGINT NOT NULL CHECK (serial > 0),
    format BIGINT NOT NULL,
    kek_id TEXT COLLATE "C" NOT NULL,
    wrapped_dek BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (workspace, name, serial)
);

-- Keys of applications: never the key, only its MAC.
CREATE TABLE client_keys (
    workspace TEXT COLLATE "C" NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL,
    mac BYTEA NOT NULL,
    pepper BIGINT NOT NULL,
    owner TEXT NOT NULL,
    note TEXT,
    scope TEXT NOT NULL,
    expires_at BIGINT,
    retires_at BIGINT,
    revoked_at BIGINT,
    replaced_by TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    last_updated_at BIGINT NOT NULL,
    created_by TEXT,
    last_updated_by TEXT,
    PRIMARY KEY (workspace, key_id)
);

-- What may look different as of a revision; kept above meta.change_floor.
CREATE TABLE change_log (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('catalog', 'vault', 'callers')),
    key TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL
);
CREATE INDEX change_log_revision ON change_log (workspace, revision, seq);

-- Each row's MAC covers the row and the MAC before it (`access::audit`).
CREATE TABLE audit (
    workspace TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT,
    actor_kind TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    object_version BIGINT,
    outcome TEXT NOT NULL,
    request_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    source TEXT,
    detail TEXT NOT NULL,
    prev BYTEA NOT NULL,
    mac BYTEA NOT NULL,
    PRIMARY KEY (workspace, seq)
);

-- Who watches, and what it has applied. Not administered: rows come and go without a revision.
CREATE TABLE watchers (
    workspace TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    replica TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (workspace, role, replica, provider)
);

-- Append-only, whoever asks: a defect or a stray hand fails loudly. (A superuser can still drop the trigger.)
CREATE FUNCTION keyward_refuse_change() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE FUNCTION keyward_refuse_deletion_above_floor() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.revision > (SELECT change_floor FROM meta) THEN
        RAISE EXCEPTION 'DELETE on change_log is refused above meta.change_floor'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END
$$;

CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION keyward_refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION keyward_refuse_change();
CREATE TRIGGER change_log_append_only BEFORE UPDATE ON change_log
    FOR EACH ROW EXECUTE FUNCTION keyward_refuse_change();
CREATE TRIGGER change_log_trimmed BEFORE DELETE ON change_log
    FOR EACH ROW EXECUTE FUNCTION keyward_refuse_deletion_above_floor();
CREATE TRIGGER change_log_no_truncate BEFORE TRUNCATE ON change_log
    FOR EACH STATEMENT EXECUTE FUNCTION keyward_refuse_change();
