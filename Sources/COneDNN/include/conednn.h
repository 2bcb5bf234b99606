#ifndef RESNET_CONEDNN_H
#define RESNET_CONEDNN_H
#endif
