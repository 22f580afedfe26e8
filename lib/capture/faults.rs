//! Inputs that are bad: reported, counted, and the stream goes on.

use park_core::cli::Context;
use park_core::record::command::Fault;
use park_core::record::{Stamp, Time};
use park_core::stream::Out;
use park_core::{Error, Kind, Result};

/// Counts what was bad.
#[derive(Debug)]
pub struct Faults {
    context: Context,
    strict: bool,
    count: u64,
}

impl Faults {
    /// None yet. With `strict` the first one ends the command.
    pub fn new(strict: bool, context: &Context) -> Self {
        Faults { context: context.clone(), strict, count: 0 }
    }

    /// Reports one on stderr and by an `error` record at `time`: what is wrong with `input`, at which line if it has lines.
    pub fn report(
        &mut self,
        out: &mut Out,
        time: Time,
        input: &str,
        line: Option<u64>,
        message: &str,
    ) -> Result<()> {
        self.count += 1;
        let place = line.map_or_else(|| input.to_owned(), |line| format!("{input}:{line}"));
        self.context.log().error(&format!("{place}: {message}"));
        let fault = Fault {
            message: message.to_owned(),
            command: self.context.command().to_owned(),
            input: Some(input.to_owned()),
            line,
            request_id: None,
        };
        out.emit(&Stamp::at(time), &fault);
        if self.strict {
            out.flush()?;
            return Err(Error::new(Kind::BadInput, format!("stopped at {place}")));
        }
        Ok(())
    }

    /// What they come to at the end.
    pub fn verdict(&self) -> Result<()> {
        match self.count {
            0 => Ok(()),
            1 => Err(Error::new(Kind::BadInput, "1 input was bad")),
            count => Err(Error::new(Kind::BadInput, format!("{count} inputs were bad"))),
        }
    }
}
