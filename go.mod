module irqlab

go 1.26.5

require github.com/usbarmory/tamago v1.26.6
