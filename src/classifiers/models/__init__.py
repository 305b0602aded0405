"""Nets, one a file: plain `nn.Module`s from images to logits, without loss or training."""

from classifiers.models.convnet import ConvNet as ConvNet
from classifiers.models.lenet import LeNet as LeNet
from classifiers.models.mlp import MLP as MLP
from classifiers.models.net import Net as Net
from classifiers.models.pretrained_net import PretrainedNet as PretrainedNet
from classifiers.models.resnet import ResNet as ResNet
