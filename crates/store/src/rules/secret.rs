//! Secrets: sealing, masking, and what a change of one means.

use names::{Label, Provider, SecretId};
use seal::{Cell, Envelope, KekId, Payload};
use serde_json::json;

use super::{
    invalid,
    secret_value::{API_BASE, normal_config, normal_value},
    taken,
};
use crate::{
    AuthConfig, Caller, NewSecret, Secret, SecretChange, SecretValue, StoreError,
    store::{Inner, change::Change},
    tables::{Constraint, Of, Read, SealedRow, SecretRow, convert},
};

impl Inner {
    pub(crate) async fn create_secret(
        &self,
        caller: &Caller,
        new: NewSecret,
    ) -> Result<(Secret, u64), StoreError> {
        let value = normal_value(new.value)?;
        let auth_config = normal_config(new.auth_config)?;
        let hosts = self.hosts(&auth_config).await?;
        let mut change = self.change(caller).await?;
        let id = SecretId::from_random(self.entropy.bits()).to_string();
        let row = SecretRow {
            id: id.clone(),
            name: new.name.to_string(),
            masked_values: json!(masks(&value)).to_string(),
            version: 1,
            provider: new.provider.as_ref().map(ToString::to_string),
            auth_config: json!(auth_config).to_string(),
            created_at: change.now,
            last_updated_at: change.now,
            created_by: change.actor(),
            last_updated_by: change.actor(),
        };
        change.put_secret(&row, &Payload::new(value, hosts)).await?;
        let detail = json!({"name": row.name, "provider": row.provider, "version": 1});
        let revision = change.commit("secret.create", &id, detail).await?;
        Ok((convert::secret(&row)?, revision))
    }

    pub(crate) async fn update_secret(
        &self,
        caller: &Caller,
        given: SecretChange,
    ) -> Result<(Secret, u64), StoreError> {
        let value = given.value.filter(|value| !value.is_empty()).map(normal_value).transpose()?;
        let config = given.auth_config.filter(|config| !config.is_empty()).map(normal_config).transpose()?;
        let hosts = match &config {
            Some(config) => Some(self.hosts(config).await?),
            None => None,
        };
        let id = given.id.as_str();
        let mut change = self.change(caller).await?;
        let mut row = secret_row(change.rows.as_mut(), id).await?;
        if let Some(config) = &config {
            let old = convert::map(&row.auth_config)?;
            if config.get(API_BASE) != old.get(API_BASE) && value.is_none() {
                return Err(invalid(
                    "changing api_base needs the key again: send secret_value in the same update",
                ));
            }
            row.auth_config = json!(config).to_string();
        }
        row.last_updated_at = change.now;
        row.last_updated_by = change.actor();
        let (value_changed, config_changed) = (value.is_some(), config.is_some());
        if let Some(value) = value {
            let hosts = match hosts {
                Some(hosts) => hosts,
                None => allowed_hosts(&sealed_row(change.rows.as_mut(), id).await?)?,
            };
            row.masked_values = json!(masks(&value)).to_string();
            row.version += 1;
            change.put_secret(&row, &Payload::new(value, hosts)).await?;
        } else {
            change.rows.put_secret(&row).await?;
        }
        change.touch_targets_of(id).await?;
        let detail = json!({"version": row.version, "value": value_changed, "auth_config": config_changed});
        let revision = change.commit("secret.update", id, detail).await?;
        Ok((convert::secret(&row)?, revision))
    }

    pub(crate) async fn delete_secret(&self, caller: &Caller, id: &SecretId) -> Result<u64, StoreError> {
        let mut change = self.change(caller).await?;
        for (mapping, definition) in change.rows.mappings(Of::Secret(id.as_str())).await? {
            change.touch(&mapping, &definition.provider);
        }
        if !change.rows.delete_secret(id.as_str()).await? {
            return Err(not_found(id.as_str()));
        }
        change.commit("secret.delete", id.as_str(), json!({})).await
    }

    /// The hosts that a secret with these settings may be sent to; none: its provider's defaults.
    async fn hosts(&self, config: &AuthConfig) -> Result<Vec<String>, StoreError> {
        match config.get(API_BASE) {
            None => Ok(Vec::new()),
            Some(api_base) => {
                let hosts = self.policy.allowed_hosts(api_base).await.map_err(StoreError::Invalid)?;
                if hosts.is_empty() { Err(invalid("api_base has no host")) } else { Ok(hosts) }
            }
        }
    }

    /// Opens what lies in a secret's row.
    pub(crate) fn open_secret(&self, row: &SecretRow, sealed: &SealedRow) -> Result<Payload, StoreError> {
        let hosts = allowed_hosts(sealed)?;
        let envelope = Envelope {
            format: u32::try_from(sealed.format).map_err(convert::Garbled::from)?,
            kek_id: KekId::parse(&sealed.kek_id)?,
            wrapped_dek: sealed.wrapped_dek.clone(),
            sealed: sealed.sealed.clone(),
        };
        Ok(self.keyring.open(&self.cell(row, &hosts)?, &envelope)?)
    }

    fn cell<'a>(&'a self, row: &'a SecretRow, hosts: &'a [String]) -> Result<Cell<'a>, StoreError> {
        Ok(Cell {
            workspace: self.settings.workspace.as_str(),
            secret_id: &row.id,
            name: &row.name,
            provider: row.provider.as_deref(),
            version: convert::revision(row.version)?,
            allowed_hosts: hosts,
        })
    }
}

impl Change<'_> {
    /// Puts both halves of a secret: its columns, and its value sealed for them.
    async fn put_secret(&mut self, row: &SecretRow, payload: &Payload) -> Result<(), StoreError> {
        let envelope = self.inner.keyring.seal(&self.inner.cell(row, &payload.allowed_hosts)?, payload)?;
        let sealed = SealedRow {
            secret_id: row.id.clone(),
            version: row.version,
            allowed_hosts: json!(payload.allowed_hosts).to_string(),
            format: i64::from(envelope.format),
            kek_id: envelope.kek_id.to_string(),
            wrapped_dek: envelope.wrapped_dek,
            sealed: envelope.sealed,
        };
        self.rows.put_secret(row).await.map_err(|error| {
            taken(error, Constraint::SecretName, || format!("Secret with name '{}' already exists", row.name))
        })?;
        Ok(self.rows.put_sealed(&sealed).await?)
    }

    /// The secret of a model definition of this provider: there, and of the same provider. One without a provider takes
    /// this one, which is part of what it is sealed for.
    pub(crate) async fn secret_for(&mut self, id: &str, provider: &Provider) -> Result<Label, StoreError> {
        let mut row = secret_row(self.rows.as_mut(), id).await?;
        match row.provider.as_deref() {
            Some(own) if own == provider.as_str() => {}
            Some(own) => {
                return Err(invalid(format!(
                    "provider '{provider}' is not the provider of secret '{}', which is '{own}'",
                    row.name
                )));
            }
            None => {
                let sealed = sealed_row(self.rows.as_mut(), id).await?;
                let payload = self.inner.open_secret(&row, &sealed)?;
                row.provider = Some(provider.to_string());
                row.version += 1;
                row.last_updated_at = self.now;
                self.put_secret(&row, &payload).await?;
            }
        }
        Ok(Label::parse(&row.name).map_err(convert::Garbled::from)?)
    }

    /// Edges are told too: a target that rests because of its old key is called with the new one at once.
    async fn touch_targets_of(&mut self, secret_id: &str) -> Result<(), StoreError> {
        for (mapping, definition) in self.rows.mappings(Of::Secret(secret_id)).await? {
            self.touch(&mapping, &definition.provider);
        }
        Ok(())
    }
}

pub(crate) async fn secret_row(rows: &mut (impl Read + ?Sized), id: &str) -> Result<SecretRow, StoreError> {
    rows.secret(id).await?.ok_or_else(|| not_found(id))
}

/// A secret without its sealed half is a database that was tampered with.
async fn sealed_row(rows: &mut (impl Read + ?Sized), id: &str) -> Result<SealedRow, StoreError> {
    rows.sealed(id).await?.ok_or_else(|| {
        tracing::error!(secret.id = id, "a secret has no sealed value");
        StoreError::Internal
    })
}

fn allowed_hosts(row: &SealedRow) -> Result<Vec<String>, convert::Garbled> {
    Ok(serde_json::from_str(&row.allowed_hosts)?)
}

fn not_found(id: &str) -> StoreError {
    StoreError::NotFound(format!("GatewaySecret not found (secret_id='{id}')"))
}

fn masks(value: &SecretValue) -> std::collections::BTreeMap<&str, String> {
    value.iter().map(|(field, secret)| (field.as_str(), seal::mask(secret))).collect()
}
