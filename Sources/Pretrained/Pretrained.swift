// Pretrained
