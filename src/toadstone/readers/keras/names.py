"""Names that Keras resolves in its own tables, whatever the module field says.

Taken from the class definitions and exports of Keras 3.15 and from the layer, loss and optimizer tables of Keras 1 and 2.
"""

from __future__ import annotations

CLASSES = frozenset(
    """
AUC AUCCurve AUCSummationMethod AWQ AWQConfig AWQDTypePolicy AbsMaxQuantizer Absolute Accuracy Activation
ActivityRegularization ActivityRegularizer Adadelta Adafactor Adagrad Adam AdamW Adamax AdaptiveAveragePool
AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPool AdaptiveMaxPooling1D
AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AdditiveAttention AffineTransform All AllClose AlphaDropout Amax Amin Angle
Any Append Arange Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh Argmax Argmin Argpartition Argsort Array ArraySplit
AssociativeScan AtrousConvolution1D AtrousConvolution2D Attention AugMix AutoCastVariable AutoContrast Average AveragePool
AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D BackupAndRestore BatchNorm
BatchNormalization BatchNormalizationV1 BatchNormalizationV2 Bias Bidirectional BinaryAccuracy BinaryCrossentropy
BinaryFocalCrossentropy BinaryIoU Bincount BitwiseAnd BitwiseInvert BitwiseLeftShift BitwiseNot BitwiseOr BitwiseRightShift
BitwiseXor BroadcastTo CDist CSVLogger CTC CTCDecode CTCLoss Callback CallbackList Cast CategoricalAccuracy
CategoricalCrossentropy CategoricalFocalCrossentropy CategoricalGeneralizedCrossEntropy CategoricalHinge CategoryEncoding
Cbrt Ceil Celu CenterCrop Cholesky CholeskyInverse Circle ClassMethod Clip ClippedGELU CompileLoss CompileMetrics
CompositeTensor Concatenate ConcordanceCorrelation Cond ConfusionMatrix Conjugate Constant Constraint
ContrastLimitedAdaptiveHistogramEqualization Conv Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose
ConvLSTM ConvLSTM1D ConvLSTM2D ConvLSTM3D ConvLSTMCell ConvRNN2D ConvTranspose ConvertToTensor Convolution1D
Convolution1DTranspose Convolution2D Convolution2DTranspose Convolution3D Convolution3DTranspose Copy Corrcoef Correlate Cos
Cosh CosineDecay CosineDecayRestarts CosineDecayV2 CosineProximity CosineSimilarity CountNonzero CropImages Cropping1D
Cropping2D Cropping3D Cross CuDNNGRU CuDNNLSTM Cumprod Cumsum CustomScaleLayer CutMix DTypePolicy DTypePolicyMap DataLayer
Deconvolution2D Deg2rad Dense DenseFeatures DepthToSpace DepthwiseConv DepthwiseConv1D DepthwiseConv2D Det Diag Diagflat
Diagonal Dice Diff Digitize Discretization DistillationLoss Distiller Divide DivideNoNan Dot DotProductAttention Dropout
DropoutRNNCell Dsplit Dstack ELU EarlyStopping Eig Eigh Einsum EinsumDense ElasticTransform Elu Embedding EmptyLike Equal
Equalization Erf Erfc Erfinv Exp Exp2 ExpandDims Expm1 ExponentialDecay ExtractPatches ExtractSequences F1Score FBetaScore
FFT FFT2 Fabs FakeQuantWithMinMaxVars FalseNegatives FalsePositives Feature FeatureDistillation FeatureSpace Flatten
FlaxLayer Flip Fliplr Flipud Float8QuantizationConfig FloatDTypePolicy Floor FloorDivide Fmax Fmin Fmod Fold ForiLoop Ftrl
Full FullLike Function Functional GPTQ GPTQConfig GPTQDTypePolicy GPTQQuantizer GRU GRUCell GRUV1 GaussianBlur
GaussianDropout GaussianNoise Gcd Gelu Geomspace GetItem GlobalAveragePooling1D GlobalAveragePooling2D
GlobalAveragePooling3D GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D
GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GlorotNormal GlorotUniform Glu Graph Greater GreaterEqual
GroupNormalization GroupQueryAttention GroupedQueryAttention HSVToRGB HardShrink HardSigmoid HardSilu HardTanh
HashedCrossing Hashing HeNormal HeUniform Heaviside Highway Hinge Histogram History Hsplit Hstack Huber Hypot I0 IFFT2 IRFFT
ISTFT Identity IdentityInitializer Imag InTopK IndexLookup Initializer Inner Input InputLayer InputSpec InstanceMethod
InstanceProperty Int4DTypePolicy Int4QuantizationConfig Int8QuantizationConfig IntegerLookup Inv InverseTimeDecay IoU IsIn
Isclose Isfinite Isinf Isnan Isneginf Isposinf Isreal JVP JaxLayer KLDivergence KLDivergenceLoss Kron L1 L1L2 L2 LSTM
LSTMCell LSTMV1 Lamb Lambda LambdaCallback Layer LayerNorm LayerNormalization LayerScale Lcm Ldexp LeakyReLU LeakyRelu
LearningRateSchedule LearningRateScheduler LecunNormal LecunUniform LeftShift Less LessEqual LinearCosineDecay LinearModel
Linspace Lion LocallyConnected1D LocallyConnected2D Log Log10 Log1p Log2 LogCosh LogCoshError LogCoshLoss LogSigmoid
LogSoftmax Logaddexp Logaddexp2 Logdet LogicalAnd LogicalNot LogicalOr LogicalXor LogitsDistillation Logspace Logsumexp Loss
LossFunctionWrapper LossScaleOptimizer Lstsq LuFactor MSELoss Map MapCoordinates Masking Matmul MatrixRank Max MaxNorm
MaxNumBoundingBoxes MaxPool MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D Maximum MaxoutDense Mean
MeanAbsoluteError MeanAbsolutePercentageError MeanIoU MeanMetricWrapper MeanRelativeError MeanSquaredError
MeanSquaredLogarithmicError Median MelSpectrogram Merge Meshgrid Metric MetricsList Min MinMaxNorm Minimum Mish MixUp Mod
Model ModelCheckpoint Moments MonitorCallback Moveaxis MultiHeadAttention MultiHot MultiOptimizer Multiply Muon Nadam
NanToNum Nanargmax Nanargmin Nancumprod Nancumsum Nanmax Nanmean Nanmedian Nanmin Nanpercentile Nanprod Nanquantile Nanstd
Nansum Nanvar Ndim Negative Nextafter NoisyLinearCosineDecay NonNeg Nonzero Norm Normalization NormalizationV1 Normalize
NotEqual OneHot OneHotIoU OneHotMeanIoU Ones OnesLike Optimizer OptimizerMap Orthogonal OrthogonalInitializer
OrthogonalRegularizer Outer PReLU PSNR Pad PadImages ParametricSoftplus PearsonCorrelation PeepholeLSTMCell Percentile
Permute PerspectiveTransform PiecewiseConstantDecay Pinv Pipeline Poisson Polar Policy PolicyV1 PolynomialDecay Power
Precision PrecisionAtRecall PreprocessingStage Prod Progbar ProgbarLogger Ptp PyDataset Qr Quantile QuantizationConfig
QuantizedDTypePolicy QuantizedFloat8DTypePolicy Quantizer R2Score RFFT RGBToGrayscale RGBToHSV RMSNorm RMSNormalization
RMSprop RNN Rad2deg RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop
RandomElasticTransform RandomErasing RandomFlip RandomFlipV1 RandomFourierFeatures RandomGaussianBlur RandomGrayscale
RandomHeight RandomHue RandomInitializer RandomInvert RandomNormal RandomPerspective RandomPosterization RandomRotation
RandomSaturation RandomSharpness RandomShear RandomTranslation RandomUniform RandomWidth RandomZoom Ravel ReLU Real
Rearrange Recall RecallAtPrecision Reciprocal ReduceLROnPlateau Reduction Regularizer Relu Relu6 RemoteMonitor Repeat
RepeatVector Rescaling Reshape Resize Resizing ReversibleEmbedding RightShift Roll RootMeanSquaredError Rot90 Round Rsqrt
SGD SSIM STFT STFTInitializer STFTSpectrogram SVD SaturateCast ScaleAndTranslate Scan Scatter ScatterUpdate
ScheduleFreeAdamW SearchSorted SeedGenerator SegmentReduction Select Selu SensitivityAtSpecificity
SensitivitySpecificityBase SeparableConv SeparableConv1D SeparableConv2D SeparableConvolution1D SeparableConvolution2D
Sequence SequenceFeatures Sequential Sigmoid Sign Signbit Silu SimpleRNN SimpleRNNCell Sin Sinc Sinh Size Slice SliceUpdate
SlicingOpLambda Slogdet SobelEdges SoftShrink Softmax Softplus Softsign Solarization Solve SolveTriangular Sort SpaceToDepth
SparseCategoricalAccuracy SparseCategoricalCrossentropy SparsePlus SparseSigmoid SparseTopKCategoricalAccuracy Sparsemax
SpatialDropout1D SpatialDropout2D SpatialDropout3D SpecificityAtSensitivity SpectralNormalization Split Sqrt Square
SquaredHinge Squareplus Squeeze Stack StackedRNNCells Std StochasticDepth StopGradient StringLookup Subtract Sum
SumOverBatchSize SwapEMAWeights Swapaxes Switch SyncBatchNormalization TFDConcat TFDIdentity TFOpLambda TFOptimizer
TFSMLayer Take TakeAlongAxis Tan Tanh TanhShrink TargetReshaper TensorBoard TensorFlowOpLayer TensorShape Tensordot
TerminateOnNaN TextVectorization TextVectorizationV1 Threshold ThresholdedReLU Tile TimeDistributed TimeDistributedDense
TimeseriesGenerator Tokenizer TopK TopKCategoricalAccuracy TorchModuleWrapper Trace Transpose Trapezoid Tril Triu TrueDivide
TrueNegatives TruePositives Trunc TruncatedNormal Tversky TypeSpec Unfold Unique UnitNorm UnitNormalization UnravelIndex
Unstack UpSampling1D UpSampling2D UpSampling3D Vander Var VarianceScaling Vdot VectorizedMap View ViewAsComplex ViewAsReal
Vsplit Vstack Where WhileLoop WideDeepModel Wrapper ZeroPadding1D ZeroPadding2D ZeroPadding3D Zeros ZerosLike
""".split(),  # noqa: SIM905  (a list of words reads best as words)
)
"""Layers, models, losses, metrics, optimizers, initializers, regularizers, constraints, policies, schedules, callbacks, and the
operations that
functional models turn into layers."""

FUNCTIONS = frozenset(
    """
BCE KLD MAE MAPE MSE MSLE acc accuracy auc bce binary_accuracy binary_crossentropy binary_focal_crossentropy
categorical_accuracy categorical_crossentropy categorical_focal_crossentropy categorical_generalized_cross_entropy
categorical_hinge ce celu circle concordance_correlation constant cosine cosine_proximity cosine_similarity crossentropy ctc
dice elu exponential gelu glorot glorot_normal glorot_uniform glu hard_shrink hard_sigmoid hard_sigmoid_v2 hard_silu
hard_swish hard_tanh he he_normal he_uniform hinge huber identity kl_divergence kld kullback_leibler_divergence l1 l1_l2 l2
leaky_relu lecun lecun_normal lecun_uniform linear log_cosh log_sigmoid log_softmax logcosh mae mape max_norm mean
mean_absolute_error mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error min_max_norm mish mse
msle non_neg normal one ones orthogonal orthogonal_regularizer pearson_correlation poisson precision random_normal
random_uniform recall relu relu6 selu sigmoid silu soft_shrink softmax softmax_v2 softplus softsign
sparse_categorical_accuracy sparse_categorical_crossentropy sparse_plus sparse_sigmoid sparse_top_k_categorical_accuracy
sparsemax squared_hinge squareplus stft swish tanh tanh_shrink threshold top_k top_k_categorical_accuracy truncated_normal
tversky uniform unit_norm variance_scaling zero zeros
""".split(),  # noqa: SIM905  (a list of words reads best as words)
)
"""Activations, losses, metrics, initializers, regularizers and constraints by function name."""
