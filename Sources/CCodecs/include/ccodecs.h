#ifndef RESNET_CCODECS_H
#define RESNET_CCODECS_H
#endif
