//! Keys and tokens for a `park-serve` that asks who comes.

use std::path::{Path, PathBuf};

use super::{run, stderr};

/// A secret in a file, and tokens signed with it.
pub struct Keys(pub PathBuf);

impl Keys {
    /// A secret in `dir`; `park-serve --jwt-secret` takes its path.
    pub fn new(dir: &Path) -> Keys {
        use std::os::unix::fs::PermissionsExt;
        let path = dir.join("secret");
        std::fs::write(&path, "a secret of the tests, which is long enough\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        Keys(path)
    }

    /// The path of the secret.
    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// A token of somebody with this role, whose name is that of the role.
    pub fn token(&self, role: &str) -> String {
        self.token_with(role, role, &[])
    }

    /// A token made with further arguments, such as `--ttl 3s` or `--gate gate_in`.
    pub fn token_with(&self, role: &str, subject: &str, more: &[&str]) -> String {
        let args = ["token", "--role", role, "--subject", subject, "--jwt-secret", self.path()];
        let output = run("park-serve", &[&args[..], more].concat(), b"");
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

/// The header that shows a token.
pub fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}
