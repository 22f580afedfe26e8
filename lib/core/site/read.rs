//! From a file to a [`Site`].

use std::path::Path;

use super::{Site, check};
use crate::error::{Error, Kind, Result};

impl Site {
    /// Reads and checks a `park.toml`. Paths in it are taken from the folder it lies in.
    ///
    /// # Errors
    ///
    /// [`Kind::Config`], naming the file and the key that is wrong.
    pub fn read(path: &Path) -> Result<Site> {
        let reading = || format!("reading {}", path.display());
        let bytes =
            std::fs::read(path).map_err(|error| Error::new(Kind::Config, reading()).because(error))?;
        let text = String::from_utf8(bytes)
            .map_err(|error| Error::new(Kind::Config, reading()).because(error.utf8_error()))?;
        let mut site =
            Site::parse(&text).map_err(|error| Error::new(Kind::Config, reading()).because(error))?;
        site.rebase(path.parent().unwrap_or(Path::new("")));
        Ok(site)
    }

    /// Reads and checks the text of a `park.toml`; paths stay as they are written.
    ///
    /// # Errors
    ///
    /// [`Kind::Config`], naming the key that is wrong, with its line where the text itself does not fit.
    pub fn parse(text: &str) -> Result<Site> {
        let site: Site =
            toml::from_str(text).map_err(|error| Error::new(Kind::Config, at_line(text, &error)))?;
        check::check(&site)?;
        Ok(site)
    }

    fn rebase(&mut self, folder: &Path) {
        let lists = self.lists.allow.iter_mut().chain(&mut self.lists.deny);
        let maps = self.lots.values_mut().filter_map(|lot| lot.map.as_mut());
        let own = self.contractors.values_mut().filter_map(|contractor| contractor.list.as_mut());
        for path in lists.chain(maps).chain(own) {
            *path = folder.join(&*path);
        }
    }
}

/// The error on one line: where, what, and the text that it is about.
fn at_line(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', ", ");
    let Some(span) = error.span() else { return message };
    let start = text.get(..span.start).map_or(0, |before| before.matches('\n').count());
    let line = text.lines().nth(start).unwrap_or("").trim();
    format!("line {}: {message}, in `{line}`", start + 1)
}
