"""What the models of services that speak query besides do not say of it: the names of lists and maps in forms and in XML,
errors' codes and statuses. From the query examples of "Amazon SQS API Reference" and its common errors."""

_CODE = 'AWS.SimpleQueueService.'
_SQS = {
    'namespace': 'http://queue.amazonaws.com/doc/2012-11-05/',
    # The name of each element of a flattened list.
    'lists': {'AWSAccountIdList': 'AWSAccountId', 'ActionNameList': 'ActionName', 'AttributeNameList': 'AttributeName',
              'BatchResultErrorEntryList': 'BatchResultErrorEntry',
              'ChangeMessageVisibilityBatchRequestEntryList': 'ChangeMessageVisibilityBatchRequestEntry',
              'ChangeMessageVisibilityBatchResultEntryList': 'ChangeMessageVisibilityBatchResultEntry',
              'DeleteMessageBatchRequestEntryList': 'DeleteMessageBatchRequestEntry',
              'DeleteMessageBatchResultEntryList': 'DeleteMessageBatchResultEntry',
              'ListMessageMoveTasksResultEntryList': 'ListMessageMoveTasksResultEntry',
              'MessageAttributeNameList': 'MessageAttributeName', 'MessageList': 'Message',
              'MessageSystemAttributeList': 'MessageSystemAttributeName', 'QueueUrlList': 'QueueUrl',
              'SendMessageBatchRequestEntryList': 'SendMessageBatchRequestEntry',
              'SendMessageBatchResultEntryList': 'SendMessageBatchResultEntry', 'TagKeyList': 'TagKey'},
    # The name of a member that holds the map, and of its keys and values.
    'maps': {'MessageBodyAttributeMap': ('MessageAttribute', 'Name', 'Value'),
             'MessageBodySystemAttributeMap': ('MessageSystemAttribute', 'Name', 'Value'),
             'MessageSystemAttributeMap': ('Attribute', 'Name', 'Value'),
             'QueueAttributeMap': ('Attribute', 'Name', 'Value'), 'TagMap': ('Tag', 'Key', 'Value')},
    # Lists that are flattened where they are members.
    'members': {'StringList': 'StringListValue', 'BinaryList': 'BinaryListValue'},
    'errors': {'QueueDoesNotExist': (_CODE + 'NonExistentQueue', 400), 'QueueNameExists': ('QueueAlreadyExists', 400),
               'OverLimit': ('OverLimit', 403), 'PurgeQueueInProgress': (_CODE + 'PurgeQueueInProgress', 403),
               'ResourceNotFoundException': ('ResourceNotFoundException', 404),
               **{name: (_CODE + name, 400) for name in (
                   'BatchEntryIdsNotDistinct', 'BatchRequestTooLong', 'EmptyBatchRequest', 'InvalidBatchEntryId',
                   'MessageNotInflight', 'QueueDeletedRecently', 'TooManyEntriesInBatchRequest',
                   'UnsupportedOperation')}}}

FACTS = {'sqs': _SQS}


def add(service, metadata, shapes):
    """Puts the facts where a model of the query protocol has them."""
    facts = FACTS.get(service)
    if facts is None:
        return
    metadata['xmlNamespace'] = facts['namespace']
    for name, element in facts['lists'].items():
        if name in shapes:
            shapes[name]['member']['locationName'] = element
    for name, (_, key, value) in facts['maps'].items():
        if name in shapes:
            shapes[name]['key']['locationName'], shapes[name]['value']['locationName'] = key, value
    for name, (code, status) in facts['errors'].items():
        shapes[name]['error'] = {'code': code, 'httpStatusCode': status}
    for shape in shapes.values():
        for member in shape.get('members', {}).values():
            if member['shape'] in facts['maps']:
                member['queryName'] = facts['maps'][member['shape']][0]
            if member['shape'] in facts['members']:
                member['queryName'] = facts['members'][member['shape']]
