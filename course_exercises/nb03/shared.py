"""What several exercises of 03 share."""


def parts(node, grad):
    if node.op is None:
        return []
    data = [x.data for x in node.inputs]
    return zip(node.inputs, node.op.vjp(grad, node.data, *data), strict=True)
