"""VK communities: messages, comments and forms in, messages and comments out."""

from channels.vk.config import Mode, VkConfig
from channels.vk.connector import VkChannel, create

__all__ = ["Mode", "VkChannel", "VkConfig", "create"]
