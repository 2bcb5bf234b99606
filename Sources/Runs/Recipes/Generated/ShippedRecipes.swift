// Made by Scripts/generate/recipes of Recipes/*.yaml; change those.

/// The recipes that the program holds, by name, as YAML.
let shippedRecipes: [String: String] = [
    "finetune": #"""
    description: from trained weights to classes of one's own
    source: swift-resnet
    depth: 50
    variant: v1.5
    initialisation: kaiming-normal
    fan: fan_out
    zero_init_last: false
    epochs: 10
    batch_size: 32
    learning_rate: 0.01
    learning_rate_batch: 32
    schedule: cosine
    schedule_interval: step
    end_learning_rate: 0
    warmup_epochs: 0.5
    warmup_start: zero
    optimizer: sgd
    momentum: 0.9
    nesterov: false
    momentum_form: pytorch
    weight_decay: 1e-4
    weight_decay_on: filters-and-weight
    label_smoothing: 0.1
    mixup: 0
    cutmix: 0
    ema: 0
    norm_epsilon: 1e-5
    norm_momentum: 0.1
    norm_variance: unbiased
    image_size: 224
    crop_method: torchvision
    crop_area: [0.35, 1]
    crop_aspect: [0.75, 1.3333333333333333]
    flip: 0.5
    color_jitter: 0
    auto_augment: none
    random_erase: 0
    eval_resize: 256
    eval_crop: 224
    """#,
    "linear-probe": #"""
    description: a new classifier on the features of trained weights, which are computed once
    source: swift-resnet
    extends: finetune
    freeze: all-but-head
    features_once: true
    epochs: 60
    batch_size: 128
    learning_rate: 0.1
    learning_rate_batch: 128
    warmup_epochs: 0
    weight_decay: 0
    label_smoothing: 0
    """#,
    "mlperf-lars": #"""
    description: MLPerf's for large batches, 35 epochs, 75.9 % on ImageNet with 3264 images a step
    # The rate is for the batch and does not scale with it.
    source: MLPerf Training v1.1 to v4.0, NVIDIA's ResNet-50
    depth: 50
    variant: v1.5
    initialisation: truncated-normal
    fan: fan_in
    zero_init_last: false
    epochs: 35
    batch_size: 3264
    learning_rate: 10.5
    learning_rate_batch: 0
    schedule: polynomial
    power: 2
    schedule_epochs: 37
    schedule_interval: step
    end_learning_rate: 0.0001
    warmup_epochs: 2
    warmup_start: zero
    optimizer: lars
    momentum: 0.9
    lars_coefficient: 0.001
    lars_epsilon: 0
    weight_decay: 5e-5
    weight_decay_on: filters-and-weight
    label_smoothing: 0.1
    mixup: 0
    cutmix: 0
    ema: 0
    loss_scale: 65536
    loss_scale_interval: 2000
    norm_epsilon: 1e-5
    norm_momentum: 0.1
    norm_variance: unbiased
    image_size: 224
    crop_method: tensorflow
    crop_area: [0.05, 1]
    crop_aspect: [0.75, 1.33]
    flip: 0.5
    color_jitter: 0
    auto_augment: none
    random_erase: 0
    eval_resize: 256
    eval_crop: 224
    """#,
    "nvidia-pytorch-250": #"""
    description: NVIDIA's for PyTorch with mix-up, 250 epochs, 78.4 % on ImageNet
    # Mix-up takes the neighbour in the batch for a partner, where theirs draws a permutation; pixels are mixed as bytes and
    # rounded before they are normalised, where theirs mixes the normalised ones.
    source: NVIDIA DeepLearningExamples at commit 729963dd, PyTorch ConvNets, configs.yml and training/*.sh (250E)
    extends: nvidia-pytorch-90
    epochs: 250
    mixup: 0.2
    """#,
    "nvidia-pytorch-50": #"""
    description: NVIDIA's for PyTorch, 50 epochs, 75.9 % on ImageNet
    source: NVIDIA DeepLearningExamples at commit 90610830, PyTorch ConvNets, training/*.sh (50E)
    extends: nvidia-pytorch-90
    epochs: 50
    """#,
    "nvidia-pytorch-90": #"""
    description: NVIDIA's for PyTorch, 90 epochs, 77.1 % on ImageNet
    source: NVIDIA DeepLearningExamples at commit 729963dd, PyTorch ConvNets, configs.yml and training/*.sh (90E)
    depth: 50
    variant: v1.5
    initialisation: kaiming-normal
    fan: fan_in
    zero_init_last: false
    epochs: 90
    batch_size: 256
    learning_rate: 0.256
    learning_rate_batch: 256
    schedule: cosine
    schedule_interval: epoch
    end_learning_rate: 0
    warmup_epochs: 8
    warmup_start: first-part
    optimizer: sgd
    momentum: 0.875
    nesterov: false
    momentum_form: pytorch
    weight_decay: 3.0517578125e-05
    weight_decay_on: nvidia-names
    label_smoothing: 0.1
    mixup: 0
    cutmix: 0
    ema: 0
    loss_scale: 128
    loss_scale_interval: 100
    norm_epsilon: 1e-5
    norm_momentum: 0.1
    norm_variance: unbiased
    image_size: 224
    crop_method: torchvision
    crop_area: [0.08, 1]
    crop_aspect: [0.75, 1.3333333333333333]
    flip: 0.5
    color_jitter: 0
    auto_augment: none
    random_erase: 0
    eval_resize: 256
    eval_crop: 224
    """#,
    "nvidia-tf-250": #"""
    description: NVIDIA's for TensorFlow with mix-up, 250 epochs, 78.4 % on ImageNet
    # Mix-up takes one share a batch and the neighbour in it for a partner; theirs draws a share for each picture and takes other
    # partners. For the rest see nvidia-tf-90.
    source: NVIDIA DeepLearningExamples at commit 729963dd, TensorFlow ConvNets, main.py, learning_rate.py and training/* (250E)
    extends: nvidia-tf-90
    epochs: 250
    mixup: 0.2
    """#,
    "nvidia-tf-90": #"""
    description: NVIDIA's for TensorFlow, 90 epochs, 77.0 % on ImageNet
    # Here class 0 is the first one and all logits are used; theirs has 1001, the last unused. Their random crop starts from the
    # boxes of objects that records hold, here from the whole picture; they resize bilinearly with neither half-pixel centres nor
    # antialiasing, here with both; TensorFlow pads strided convolutions more at the end, here as much on either side.
    source: NVIDIA DeepLearningExamples at commit 729963dd, TensorFlow ConvNets, main.py, learning_rate.py and training/* (90E)
    depth: 50
    variant: v1.5
    initialisation: truncated-normal
    fan: fan_in
    zero_init_last: false
    epochs: 90
    batch_size: 256
    learning_rate: 0.256
    learning_rate_batch: 256
    schedule: cosine
    schedule_interval: step
    end_learning_rate: 0
    warmup_epochs: 8
    warmup_start: zero
    decay_from_start: true
    optimizer: sgd
    momentum: 0.875
    nesterov: false
    momentum_form: pytorch
    weight_decay: 3.0517578125e-05
    weight_decay_on: all-but-norms
    label_smoothing: 0.1
    mixup: 0
    cutmix: 0
    ema: 0
    loss_scale: 128
    loss_scale_interval: 0
    norm_epsilon: 1e-5
    norm_momentum: 0.1
    norm_variance: unbiased
    image_size: 224
    crop_method: tensorflow
    crop_area: [0.05, 1]
    crop_aspect: [0.75, 1.33]
    flip: 0.5
    color_jitter: 0
    auto_augment: none
    random_erase: 0
    eval_resize: 256
    eval_crop: 224
    """#,
    "shapes": #"""
    description: ResNet-50 on the drawn shapes, in minutes; what the demo trains by
    source: swift-resnet
    extends: finetune
    depth: 50
    zero_init_last: true
    epochs: 4
    batch_size: 32
    learning_rate: 0.02
    learning_rate_batch: 32
    nesterov: true
    warmup_epochs: 0.3
    weight_decay: 5e-4
    label_smoothing: 0
    # Drawings never end, so nothing is gained by cutting them.
    crop_area: [1, 1]
    crop_aspect: [1, 1]
    image_size: 48
    eval_resize: 48
    eval_crop: 48
    """#,
    "smoke": #"""
    description: a small network on small pictures for two epochs, to see that everything works
    source: swift-resnet
    extends: finetune
    depth: 18
    zero_init_last: true
    epochs: 2
    batch_size: 16
    learning_rate: 0.05
    learning_rate_batch: 64
    label_smoothing: 0
    image_size: 64
    eval_resize: 64
    eval_crop: 64
    """#,
    "torchvision-v1": #"""
    description: torchvision's first, 90 epochs, 76.1 % on ImageNet
    source: torchvision 0.28, references/classification/train.py, its defaults (IMAGENET1K_V1)
    depth: 50
    variant: v1.5
    initialisation: kaiming-normal
    fan: fan_out
    zero_init_last: false
    epochs: 90
    batch_size: 256
    learning_rate: 0.1
    learning_rate_batch: 256
    schedule: step
    decay_factor: 0.1
    milestones: [30, 60]
    schedule_interval: epoch
    warmup_epochs: 0
    optimizer: sgd
    momentum: 0.9
    nesterov: false
    momentum_form: pytorch
    weight_decay: 1e-4
    weight_decay_on: all
    label_smoothing: 0
    mixup: 0
    cutmix: 0
    ema: 0
    loss_scale: 65536
    loss_scale_interval: 2000
    norm_epsilon: 1e-5
    norm_momentum: 0.1
    norm_variance: unbiased
    image_size: 224
    crop_method: torchvision
    crop_area: [0.08, 1]
    crop_aspect: [0.75, 1.3333333333333333]
    flip: 0.5
    color_jitter: 0
    auto_augment: none
    random_erase: 0
    eval_resize: 256
    eval_crop: 224
    """#,
    "torchvision-v2": #"""
    description: torchvision's newer, 600 epochs, 80.9 % on ImageNet
    # Its average moves every 32 steps by 0.00109 (decay 0.99998 at batch 1024
    # over 600 epochs); here every step by a 32nd of that. During the warm-up it is
    # the weights themselves, theirs of every 32nd step. Their batches are of 128
    # images on each of 8 devices, with statistics of their own.
    source: torchvision 0.28, references/classification, the recipe of IMAGENET1K_V2
    extends: torchvision-v1
    epochs: 600
    batch_size: 1024
    learning_rate: 0.5
    learning_rate_batch: 1024
    schedule: cosine
    end_learning_rate: 0
    warmup_epochs: 5
    warmup_start: zero
    warmup_share: 0.01
    weight_decay: 2e-5
    weight_decay_on: all-but-norms
    label_smoothing: 0.1
    mixup: 0.2
    cutmix: 1
    ema: 0.999966
    ema_gradual: false
    ema_after_warmup: true
    auto_augment: trivial
    random_erase: 0.1
    repeats: 4
    image_size: 176
    eval_resize: 232
    eval_crop: 224
    """#,
]
