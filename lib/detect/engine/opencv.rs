//! Networks run by OpenCV's own module.

use opencv::core::{self, LogLevel, Mat, MatTraitConst, MatTraitConstManual, Vector};
use opencv::dnn::{self, Net, NetTrait, NetTraitConst};

use super::{Engine, Tensor};
use crate::error::{Error, Result};

/// A network that OpenCV runs.
pub struct OpenCv {
    net: Net,
}

impl OpenCv {
    /// Loads a network from the bytes of an ONNX file (opset 17 or lower, weights inside).
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model) when OpenCV cannot read it.
    pub fn from_onnx(onnx: &[u8]) -> Result<Self> {
        let doing = "loading a network";
        let net =
            dnn::read_net_from_onnx_buffer(&Vector::from_slice(onnx)).map_err(|e| Error::model(doing, e))?;
        if net.empty().map_err(|e| Error::model(doing, e))? {
            return Err(Error::model(doing, "it has no layers"));
        }
        Ok(Self { net })
    }
}

impl Engine for OpenCv {
    fn run(&mut self, input: Tensor) -> Result<Tensor> {
        let doing = "running a network";
        if input.shape.iter().product::<usize>() != input.data.len() {
            return Err(Error::model(doing, "the input's shape and length differ"));
        }
        let mut output = || -> opencv::Result<Tensor> {
            let sizes: Vec<i32> = input.shape.iter().map(|&n| n as i32).collect();
            let blob = Mat::new_nd_with_data(&sizes, &input.data)?;
            self.net.set_input(&blob, "", 1.0, opencv::core::Scalar::default())?;
            let output = self.net.forward_single_def()?;
            let shape = output.mat_size().iter().map(|&n| n as usize).collect();
            Ok(Tensor { shape, data: output.data_typed::<f32>()?.to_vec() })
        };
        output().map_err(|e| Error::model(doing, e))
    }
}

/// Lets OpenCV use so many threads in the whole process, 0 leaving its default, and keeps it from writing on stderr what it
/// says in its errors as well.
///
/// # Errors
/// [`Kind::Model`](crate::error::Kind::Model) when OpenCV refuses.
pub fn prepare(threads: usize) -> Result<()> {
    let doing = |e| Error::model("setting OpenCV up", e);
    core::set_log_level(LogLevel::LOG_LEVEL_FATAL).map_err(doing)?;
    match threads {
        0 => Ok(()),
        _ => core::set_num_threads(threads as i32).map_err(doing),
    }
}
