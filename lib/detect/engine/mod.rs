//! Runs networks: by ONNX Runtime where its library is installed, by OpenCV otherwise.

mod onnx_runtime;
mod opencv;

use std::borrow::Cow;
use std::path::Path;

use self::onnx_runtime::OnnxRuntime;
use self::opencv::OpenCv;
use crate::error::{Error, Result};

/// Numbers with a shape, the last dimension running fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Extent of each dimension.
    pub shape: Vec<usize>,
    /// The values: as many as the extents multiply to.
    pub data: Vec<f32>,
}

/// A network of one input and one output, which may be given inputs of several shapes by turns.
pub trait Engine: Send {
    /// The network's output for `input`.
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model) when the shape does not fit the network.
    fn run(&mut self, input: Tensor) -> Result<Tensor>;
}

/// What runs the networks of a process, and on how many threads.
#[derive(Clone, Debug)]
pub struct Runtime {
    library: Option<OnnxRuntime>,
    threads: usize,
}

impl Runtime {
    /// OpenCV's own module, which is always there, since the pictures come through OpenCV anyway. 0 threads are one for each core;
    /// the number holds for all that OpenCV does in this process.
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model) when OpenCV refuses the number of threads.
    pub fn opencv(threads: usize) -> Result<Self> {
        opencv::prepare(threads)?;
        Ok(Runtime { library: None, threads })
    }

    /// ONNX Runtime, 1.17 or later, from this library: about twice as fast. A process can load one. OpenCV where `none` is said in
    /// place of a library, and where none is told ONNX Runtime if the system's linker finds it, or else OpenCV.
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model), naming the file, when it is no such library, or when OpenCV refuses the number of
    /// threads.
    pub fn chosen(library: Option<&Path>, threads: usize) -> Result<Self> {
        match library {
            None => Runtime::found(threads),
            Some(none) if none.as_os_str() == "none" => Runtime::opencv(threads),
            Some(library) => Runtime::onnx_runtime(library, threads),
        }
    }

    fn onnx_runtime(library: &Path, threads: usize) -> Result<Self> {
        let library = Some(OnnxRuntime::load(library)?);
        Ok(Runtime { library, ..Runtime::opencv(threads)? })
    }

    fn found(threads: usize) -> Result<Self> {
        let library = onnx_runtime::NAMES.iter().find_map(|name| OnnxRuntime::load(Path::new(name)).ok());
        Ok(Runtime { library, ..Runtime::opencv(threads)? })
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        if self.library.is_some() { "ONNX Runtime" } else { "OpenCV" }
    }

    /// A network from the bytes of an ONNX file (opset 17 or lower, weights inside).
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model) when the network cannot be read.
    pub fn network(&self, onnx: Cow<'static, [u8]>) -> Result<Box<dyn Engine>> {
        match &self.library {
            Some(library) => Ok(Box::new(library.network(&onnx, self.threads)?)),
            None => Ok(Box::new(OpenCv::from_onnx(onnx)?)),
        }
    }

    /// What `make` makes of the network in an ONNX file, or of the one that is built in where there is none.
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model), naming the file, when the network cannot be read or `make` refuses it.
    pub fn load<T>(
        &self,
        file: Option<&Path>,
        built_in: &'static [u8],
        make: impl FnOnce(Box<dyn Engine>) -> Result<T>,
    ) -> Result<T> {
        let Some(path) = file else { return make(self.network(Cow::Borrowed(built_in))?) };
        let onnx = std::fs::read(path).map_err(|e| Error::model("opening a network", e));
        let made = onnx.and_then(|onnx| make(self.network(Cow::Owned(onnx))?));
        made.map_err(|e| Error::model("taking another network", format!("{}: {e}", path.display())))
    }
}
