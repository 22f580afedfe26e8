//! Runs a network: one trait, so that a faster runtime can stand in for OpenCV's own.

use opencv::core::{Mat, MatTraitConst, MatTraitConstManual, Vector};
use opencv::dnn::{self, Net, NetTrait, NetTraitConst};

use crate::error::{Error, Result};

/// Numbers with a shape, the last dimension running fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Extent of each dimension.
    pub shape: Vec<usize>,
    /// The values: as many as the extents multiply to.
    pub data: Vec<f32>,
}

/// A network of one input and one output.
pub trait Engine: Send {
    /// The network's output for `input`.
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model) when the shape does not fit the network.
    fn run(&mut self, input: Tensor) -> Result<Tensor>;
}

/// OpenCV's DNN module: always there, since the pictures come through OpenCV anyway.
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

/// Sets how many threads OpenCV may use, in the whole process; 0 leaves its default.
///
/// # Errors
/// [`Kind::Model`](crate::error::Kind::Model) when OpenCV refuses.
pub fn set_num_threads(threads: usize) -> Result<()> {
    if threads == 0 {
        return Ok(());
    }
    opencv::core::set_num_threads(threads as i32)
        .map_err(|e| Error::model("setting the number of threads", e))
}
