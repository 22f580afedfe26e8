//! Networks run by ONNX Runtime, whose library is looked for when the program runs: no build needs it.

use std::path::Path;

use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;

use super::{Engine, Tensor};
use crate::error::{Error, Result};

/// What the library is called where it is installed.
pub const NAMES: [&str; 2] = ["libonnxruntime.so.1", "libonnxruntime.so"];

/// The library, loaded.
#[derive(Clone)]
pub struct OnnxRuntime(Environment);

impl std::fmt::Debug for OnnxRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnnxRuntime")
    }
}

impl OnnxRuntime {
    /// Loads the library at a path, or of a name that the linker knows.
    pub fn load(library: &Path) -> Result<Self> {
        let named =
            |why: String| Error::model("loading ONNX Runtime", format!("{}: {why}", library.display()));
        let builder = ort::init_from(library).map_err(|e| named(e.to_string()))?;
        builder.with_telemetry(false).build().map(OnnxRuntime).map_err(|e| named(e.to_string()))
    }

    /// A network from the bytes of an ONNX file.
    pub fn network(&self, onnx: &[u8], threads: usize) -> Result<Network> {
        let build = || -> ort::Result<Session> {
            let builder = Session::builder(&self.0)?.with_intra_threads(threads)?;
            // Threads that wait in a loop would take the cores from the other commands of the pipe.
            let builder = builder.with_intra_op_spinning(false)?;
            // Inputs come in several shapes, and a plan of the memory for each of them would keep a block for each.
            builder.with_memory_pattern(false)?.commit_from_memory(onnx)
        };
        build().map(Network).map_err(|e| Error::model("loading a network", e))
    }
}

/// A network that ONNX Runtime runs.
pub struct Network(Session);

impl Engine for Network {
    fn run(&mut self, input: Tensor) -> Result<Tensor> {
        let mut output = || -> ort::Result<Tensor> {
            let shape: Vec<i64> = input.shape.iter().map(|&extent| extent as i64).collect();
            let tensor = TensorRef::from_array_view((shape, input.data.as_slice()))?;
            let outputs = self.0.run(ort::inputs![tensor])?;
            let (shape, data) = outputs[0].try_extract_tensor::<f32>()?;
            Ok(Tensor { shape: shape.iter().map(|&extent| extent as usize).collect(), data: data.to_vec() })
        };
        output().map_err(|e| Error::model("running a network", e))
    }
}
