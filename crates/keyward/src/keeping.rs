//! `keyward backup` and `keyward restore`: the embedded database in one file, the key apart.
//!
//! Postgres has its own tools; these say which, and what belongs to a restore beside them.

use anyhow::{Context as _, bail};
use seal::Keyring;

use crate::{
    command,
    config::{Database, Place, Ready},
    roles::{self, Fit, say},
};

/// Copies the embedded database into a new file. A running `serve` goes on meanwhile.
pub(crate) async fn backup(arguments: &command::Backup) -> anyhow::Result<()> {
    let ready = arguments.place.sources(&arguments.configured).ready()?;
    let (folder, key_file) = embedded(&ready, ON_POSTGRES_BACKUP)?;
    let config = store_sqlite::Config::new(&folder);
    store_sqlite::backup(&config, &arguments.file).await.context("copy the database")?;
    say(&format!(
        "copied the database into `{}`\n\
         The key is not in it: keep `{}` too, and in another place than the copy. Whoever has both has the secrets.\n",
        arguments.file.display(),
        key_file.display()
    ));
    Ok(())
}

/// Makes the database of a data folder that has none from a copy, and says whether the key at hand opens it.
pub(crate) async fn restore(arguments: &command::Restore) -> anyhow::Result<()> {
    let ready = arguments.place.sources(&arguments.configured).ready()?;
    let (folder, key_file) = embedded(&ready, ON_POSTGRES_RESTORE)?;
    let config = store_sqlite::Config::new(&folder);
    store_sqlite::restore(&config, &arguments.file).await.context("restore the database")?;
    say(&format!("restored the database into `{}`\n", folder.display()));

    let tables = roles::tables(&Database::Embedded(folder)).await?;
    let said = match Keyring::load(&key_file) {
        Ok(keyring) => roles::fits(tables.as_ref(), &keyring).await.map(|fit| match fit {
            Fit::New | Fit::Opens => format!("the key in `{}` opens it\n", key_file.display()),
            Fit::Needs(ids) => format!(
                "the key in `{}` does not open it: put the file of key `{ids}` there before you start\n",
                key_file.display()
            ),
        }),
        Err(error) => store::keys_of(tables.as_ref()).await.map_err(Into::into).map(|ids| {
            let ids = ids.join("`, `");
            format!("{error}; it needs the file of key `{ids}`: put it there before you start\n")
        }),
    };
    tables.close().await;
    say(&said?);
    Ok(())
}

const ON_POSTGRES_BACKUP: &str = "this Keyward is on Postgres, whose own tool makes a sound copy while it runs:\n\n    \
     pg_dump --format=custom --file=keyward.dump --dbname=postgres://USER@HOST/DATABASE\n\n\
     with the password in ~/.pgpass, not in the argument. Keep the key file too, in another place than the copy.";

const ON_POSTGRES_RESTORE: &str = "this Keyward is on Postgres, whose own tool restores a copy; stop every `keyward store` \
     and `keyward serve` first, then:\n\n    \
     pg_restore --clean --if-exists --dbname=postgres://USER@HOST/DATABASE keyward.dump\n    \
     keyward store migrate     --database-url-file FILE\n    \
     keyward store renew-epoch --database-url-file FILE\n\n\
     with the password in ~/.pgpass, not in the argument. The last one makes edges and forwarders take everything anew: \
     what they know may be younger than the copy. The key that the copy was sealed with must be in the key file.";

/// The embedded database's folder and its key; on Postgres, what to do instead.
fn embedded(ready: &Ready, on_postgres: &str) -> anyhow::Result<(std::path::PathBuf, std::path::PathBuf)> {
    match ready.database()? {
        Database::Postgres(_) => bail!("{on_postgres}"),
        Database::Embedded(_) => {
            let Place { data_dir, key_file } = ready.place()?;
            Ok((data_dir, key_file))
        }
    }
}
